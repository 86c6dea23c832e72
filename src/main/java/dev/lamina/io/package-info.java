/** Files: the safetensors format, atomic writes, and the one-line errors that everything read from outside ends in. */
package dev.lamina.io;
