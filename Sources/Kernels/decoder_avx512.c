#pragma clang fp contract(off)
#if defined(__x86_64__)
#define VECTOR_WIDTH 16
#define VECTOR_FUNCTION __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#include "decoder_vector.h"

const kaption_decoder_table kaption_decoder_avx512 = {lstm_cell, add_words, choose_words};
#endif
