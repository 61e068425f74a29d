// 2^(j/16) as bits, less j · 2^19, for the powers of two of activation.h: an n = 16·i + j shifted by 19 then adds i to the exponent.
#ifndef KAPTION_SIXTEENTHS_H
#define KAPTION_SIXTEENTHS_H

#include <stdint.h>

static const uint32_t sixteenths_of_two[16] __attribute__((aligned(64), unused)) = {
    0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532, 0x3f75fed7, 0x3f75583f,
    0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c, 0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d};

#endif
