#ifndef KAPTION_CPNG_H
#define KAPTION_CPNG_H
#endif
