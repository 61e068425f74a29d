#pragma clang fp contract(off)
#include <string.h>

#include "kaption_narrow.h"
#include "table.h"

void kaption_layer_run(kaption_isa isa, const kaption_layer *layer) {
    if (layer->input_numbers.element == KAPTION_FLOAT32 && layer->output_numbers.element == KAPTION_FLOAT32)
        kaption_table_of(isa)->layers[layer->operation](layer);
    else
        kaption_narrow_run(isa, layer);
}

size_t kaption_convolution_packed_floats(kaption_isa isa, size_t out, size_t taps, size_t in_per_group, size_t groups) {
    return groups * kaption_table_of(isa)->packed_floats(out / groups, taps * in_per_group);
}

void kaption_convolution_pack(kaption_isa isa, size_t out, size_t taps, size_t in_per_group, size_t groups,
                              const float *w, float *packed) {
    const kaption_table *table = kaption_table_of(isa);
    size_t filters = out / groups, k = taps * in_per_group;
    for (size_t group = 0; group < groups; group++) {
        table->pack(filters, k, w + group * filters * k, k, packed + group * table->packed_floats(filters, k));
    }
}

size_t kaption_depthwise_packed_floats(size_t channels, size_t taps) { return taps * kaption_round_up(channels); }

void kaption_depthwise_pack(size_t channels, size_t taps, const float *w, float *packed) {
    size_t stride = kaption_round_up(channels);
    memset(packed, 0, taps * stride * sizeof(float));
    for (size_t j = 0; j < channels; j++)
        for (size_t t = 0; t < taps; t++) packed[t * stride + j] = w[j * taps + t];
}
