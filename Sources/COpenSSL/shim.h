// OpenSSL 3 for the TLS of FTPClient and of EmbeddedFTPServer. Macros that Swift cannot import get their inline wrappers here.
#ifndef FTPFS_COPENSSL_SHIM_H
#define FTPFS_COPENSSL_SHIM_H
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif
