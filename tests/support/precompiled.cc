// Exists to own the precompiled GoogleTest header that all test programs share.
