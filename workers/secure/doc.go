// Package secure makes TLS of the settings: it reads certificates and keys where they can be read, in the master, and
// builds from them, in the workers, what crypto/tls needs.
package secure
