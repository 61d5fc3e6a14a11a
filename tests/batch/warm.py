"""What a project may have its forking process do before the notebooks: here, draw a figure."""


def draw(font_size="10"):
    import matplotlib.pyplot as plt

    plt.rcParams["font.size"] = float(font_size)
    plt.plot([1, 2])
    plt.close("all")
