# cython: language_level=3
"""The class as other kernels see it in C, the one place for the types of its attributes and
C methods: where `ngrams.py` repeats one differently, Cython says nothing and takes this one.
"""

cdef class Ngrams:
    cdef float[::1] p1, b1
    cdef unsigned int[::1] c1
    cdef unsigned short[::1] w2
    cdef unsigned char[::1] q2, r2
    cdef unsigned int[::1] c2
    cdef float[::1] p2, b2
    cdef unsigned short[::1] w3
    cdef unsigned char[::1] q3, r3
    cdef unsigned int[::1] c3
    cdef float[::1] p3, b3
    cdef unsigned short[::1] w4
    cdef unsigned char[::1] q4
    cdef float[::1] p4
    cdef Py_ssize_t bigram, trigram

    cdef double after(self, int context, int word) noexcept nogil
    cdef double extend(
        self, Py_ssize_t trigram, Py_ssize_t bigram, int context, int word, Py_ssize_t found
    ) noexcept nogil
