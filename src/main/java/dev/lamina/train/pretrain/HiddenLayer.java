package dev.lamina.train.pretrain;

/**
 * A dense layer with its sigmoids, seen as a restricted Boltzmann machine.
 *
 * @param number counts from 1, from the input up
 * @param path of the dense layer in the model, which begins the names of its weight and bias
 * @param units what visible units are
 * @param visible inputs
 * @param hidden outputs
 */
public record HiddenLayer(int number, String path, VisibleUnits units, int visible, int hidden) {}
