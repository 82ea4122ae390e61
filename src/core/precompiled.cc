// Exists to own the precompiled header that the folders of the library share.
