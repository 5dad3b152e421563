"""The LSTM language model: its network, training, baselines, and the model that it starts from."""
