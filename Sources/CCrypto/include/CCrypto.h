#ifndef KAPTION_CCRYPTO_H
#define KAPTION_CCRYPTO_H
#include <openssl/evp.h>
#include <openssl/sha.h>
#endif
