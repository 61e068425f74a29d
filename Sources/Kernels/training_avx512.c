#pragma clang fp contract(off)
#if defined(__x86_64__)
#define VECTOR_WIDTH 16
#define VECTOR_FUNCTION __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#include "training_vector.h"

const kaption_training_table kaption_training_avx512 = {lstm_forward, lstm_backward, softmax_loss,
                                                      dropout,      adam,          sum_of_squares};
#endif
