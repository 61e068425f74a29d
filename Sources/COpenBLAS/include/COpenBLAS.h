#ifndef KAPTION_COPENBLAS_H
#define KAPTION_COPENBLAS_H
#include <cblas.h>
#endif
