"""The deck: slides that present the guide, made from presentation/ with Marp.

``writing`` fills in what is generated (figures, sketches, icons, the QR code), ``tools`` brings Marp,
``building`` makes the files.
"""
