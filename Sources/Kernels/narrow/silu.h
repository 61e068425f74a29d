// x · sigmoid(x) for an output of 8-bit integers, whose steps are coarse: x/2 + g(|x|), where g(a) = a · (sigmoid(a) − 1/2) is a cubic in
// each of 15 pieces of 3/4 (of least greatest error, Remez; the first without a constant and a linear part, so that 0 stays 0), and a/2
// beyond them. Within 1.1e-4, beyond the pieces 1.5e-4. No exponential and no division, and the same operations in every table.
#ifndef KAPTION_NARROW_SILU_H
#define KAPTION_NARROW_SILU_H

#include <math.h>

enum { NARROW_SILU_PIECES = 16 };
#define NARROW_SILU_PIECES_PER_UNIT (4.0f / 3.0f)

// By power of a, by piece.
static const float narrow_silu_powers[4][NARROW_SILU_PIECES] = {
    {0.0f, 0.00462624431f, -0.0688525438f, -0.300929934f, -0.551209211f, -0.680657446f, -0.67545414f, -0.585867226f,
     -0.46442771f, -0.345191836f, -0.244367033f, -0.166464627f, -0.10989701f, -0.0706772655f, -0.0444531851f, 0.0f},
    {0.0f, -0.0249116551f, 0.114454545f, 0.425194055f, 0.679570675f, 0.785751104f, 0.783308804f, 0.732319176f,
     0.671503663f, 0.618352056f, 0.577884674f, 0.549457312f, 0.530536115f, 0.518427849f, 0.510910869f, 0.5f},
    {0.256002516f, 0.301508278f, 0.212870926f, 0.073554188f, -0.0128385508f, -0.0419064648f, -0.041593302f, -0.0319118425f,
     -0.0217533875f, -0.0138515942f, -0.00843532849f, -0.00497634569f, -0.00286611076f, -0.00161975354f, -0.000901377294f, 0.0f},
    {-0.0225503873f, -0.0501617007f, -0.031243775f, -0.010330746f, -0.000527323922f, 0.00212830119f, 0.00212222803f,
     0.00150899589f, 0.000943020394f, 0.000551248668f, 0.000309507595f, 0.000169166611f, 9.0694768e-05f, 4.79202208e-05f,
     2.50310513e-05f, 0.0f},
};

static inline float narrow_silu(float x) {
    const float a = fabsf(x), at = a * NARROW_SILU_PIECES_PER_UNIT;
    const int piece = at < NARROW_SILU_PIECES - 1 ? (int)at : NARROW_SILU_PIECES - 1;
    float sum = narrow_silu_powers[3][piece];
    for (int power = 2; power >= 0; power--) sum = fmaf(sum, a, narrow_silu_powers[power][piece]);
    return fmaf(0.5f, x, sum);
}

#endif
