"""What a project may have its forking process do before the notebooks: here, draw a figure."""


def draw():
    import matplotlib.pyplot as plt

    plt.rcParams["font.size"] = 30
    plt.plot([1, 2])
    plt.close("all")
