"""What the `local` engine needs of llama.cpp: its server, and its tokenizer without its weights."""
