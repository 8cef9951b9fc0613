print("kvfuzz")
