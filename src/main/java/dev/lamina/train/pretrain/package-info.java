/** Layers that learn what data looks like, one by one, before a network is trained to name it. */
package dev.lamina.train.pretrain;
