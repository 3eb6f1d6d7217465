//! PowerVM REST documents: lossless element trees with typed views.
