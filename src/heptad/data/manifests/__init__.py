"""Folders of images, texts and sounds as a table: what each file is, whether it is whole, and which are alike."""
