"""Every page of the demonstration territory, as a person finds it by following links; and pictures of them."""
