// The table of one instruction set, defined as NARROW_TABLE after the kernels, with NARROW_DEPTHWISE and NARROW_DEPTHWISE_PACKING.
static void narrow_convolution(const kaption_layer *layer, const float *row_scales) {
    if (layer->input_numbers.element == KAPTION_UINT8) int8_convolution(layer, row_scales);
    else bf16_convolution(layer, row_scales);
}
extern const narrow_table NARROW_TABLE;
static void narrow_convolution_layer(const kaption_layer *layer) {
    if (narrow_goes_by_winograd(&NARROW_TABLE, layer)) winograd_words(layer);
    else narrow_convolution(layer, NULL);
}

const narrow_table NARROW_TABLE = {
    .packing = {{LANES, int8_PANEL, int8_PARTS, 1, int8_expand}, {LANES, bf16_PANEL, bf16_PARTS, 1, bf16_expand}},
    .convolution = narrow_convolution,
    .depthwise = NARROW_DEPTHWISE_PACKING,
    .joins_rows = 1,
    .has_winograd = 1,
    .rows = write_row,
    .layers = {
        [KAPTION_CONVOLUTION] = narrow_convolution_layer,
        [KAPTION_DEPTHWISE] = NARROW_DEPTHWISE,
        [KAPTION_ADD] = add_narrow,
        [KAPTION_MULTIPLY] = multiply_narrow,
        [KAPTION_SCALE_SHIFT] = scale_shift_narrow,
        [KAPTION_ACTIVATION] = activation_narrow,
        [KAPTION_MAX_POOL] = max_pool_narrow,
        [KAPTION_AVERAGE_POOL] = average_pool_narrow,
        [KAPTION_GLOBAL_AVERAGE_POOL] = global_average_pool_narrow,
        [KAPTION_COPY] = narrow_copy,
        [KAPTION_GATHER_CHANNELS] = narrow_gather_channels,
        [KAPTION_CONVERT] = convert_narrow,
    },
};
