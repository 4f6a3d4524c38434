"""The fact gate without a model: does a rewrite say what its source says, and no more?"""
