// The table of one instruction set, defined as KAPTION_TABLE after the kernels.
const kaption_table KAPTION_TABLE = {
    .packed_floats = product_packed_floats,
    .pack = convolution_pack,
    .gemm_packed_floats = gathered_packed_floats,
    .gemm_pack = gathered_pack,
    .gemm = gathered_product,
    .layers = {
        [KAPTION_CONVOLUTION] = convolution,
        [KAPTION_DEPTHWISE] = depthwise,
        [KAPTION_ADD] = add_layers,
        [KAPTION_MULTIPLY] = multiply_layers,
        [KAPTION_SCALE_SHIFT] = scale_shift,
        [KAPTION_ACTIVATION] = activation,
        [KAPTION_MAX_POOL] = max_pool,
        [KAPTION_AVERAGE_POOL] = average_pool,
        [KAPTION_GLOBAL_AVERAGE_POOL] = global_average_pool,
        [KAPTION_COPY] = kaption_copy,
        [KAPTION_GATHER_CHANNELS] = kaption_gather_channels,
        [KAPTION_CONVERT] = kaption_copy,
        [KAPTION_WINOGRAD] = winograd,
    },
};
