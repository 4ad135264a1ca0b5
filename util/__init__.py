"""Tools that every stage may use: images and files, logs, pages, figures. Imports no other folder."""
