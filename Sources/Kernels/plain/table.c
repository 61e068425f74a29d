#pragma clang fp contract(off)
#include "plain.h"

const kaption_table kaption_table_plain = {
    .packed_floats = kaption_plain_packed_floats,
    .pack = kaption_plain_pack,
    .gemm_packed_floats = kaption_plain_packed_floats,
    .gemm_pack = kaption_plain_pack,
    .gemm = kaption_plain_gemm,
    .layers = {
        [KAPTION_CONVOLUTION] = kaption_plain_convolution,
        [KAPTION_DEPTHWISE] = kaption_plain_depthwise,
        [KAPTION_ADD] = kaption_plain_add,
        [KAPTION_MULTIPLY] = kaption_plain_multiply,
        [KAPTION_SCALE_SHIFT] = kaption_plain_scale_shift,
        [KAPTION_ACTIVATION] = kaption_plain_activation,
        [KAPTION_MAX_POOL] = kaption_plain_max_pool,
        [KAPTION_AVERAGE_POOL] = kaption_plain_average_pool,
        [KAPTION_GLOBAL_AVERAGE_POOL] = kaption_plain_global_average_pool,
        [KAPTION_COPY] = kaption_copy,
        [KAPTION_GATHER_CHANNELS] = kaption_gather_channels,
        [KAPTION_CONVERT] = kaption_copy,
        [KAPTION_WINOGRAD] = kaption_plain_winograd,
    },
};
