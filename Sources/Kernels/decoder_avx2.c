#pragma clang fp contract(off)
#if defined(__x86_64__)
#define VECTOR_WIDTH 8
#define VECTOR_FUNCTION __attribute__((target("avx2,fma")))
#include "decoder_vector.h"

const kaption_decoder_table kaption_decoder_avx2 = {lstm_cell, add_words, choose_words};
#endif
