// What the CPU could do at most: the yardstick of the benchmarks.
#ifndef KAPTION_PEAK_H
#define KAPTION_PEAK_H

#include "kaption_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

// Runs `rounds` rounds of independent fused multiply-adds on registers alone. Returns the floating-point operations done, a
// multiply-add counting two; 0 where `isa` has no vectors to measure.
uint64_t kaption_peak_run(kaption_isa isa, uint64_t rounds);
// The same with the dot products of narrow elements that `isa` has; without any, what widened elements are multiplied with.
uint64_t kaption_peak_run_narrow(kaption_isa isa, kaption_element element, uint64_t rounds);

#ifdef __cplusplus
}
#endif
#endif
