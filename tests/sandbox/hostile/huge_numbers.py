# Arithmetic that ends after the sun does.
nine = int("9")  # a checker of types would work out 9**9**8
n = nine**nine**8
print(len(str(n**n)))
