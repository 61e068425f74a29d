#pragma clang fp contract(off)
#if defined(__x86_64__)
#define VECTOR_WIDTH 8
#define VECTOR_FUNCTION __attribute__((target("avx2,fma")))
#include "training_vector.h"

const kaption_training_table kaption_training_avx2 = {lstm_forward, lstm_backward, softmax_loss,
                                                      dropout,      adam,          sum_of_squares};
#endif
