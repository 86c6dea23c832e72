/**
 * Where NVIDIA's libraries are, and how JCuda is made to load them: the search, the reader and relinker of shared
 * objects, the private cache, the one class loader, and the first contact in a process of its own. Nothing here
 * mentions JCuda's classes.
 */
package dev.lamina.device.cuda.library;
