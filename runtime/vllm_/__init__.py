"""What the `vllm` engine is made of. vLLM itself is imported when a model is loaded, not before."""
