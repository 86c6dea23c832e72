package dev.lamina.search;

import dev.lamina.train.recipe.Recipe;
import java.util.List;

/**
 * One point of a search space.
 *
 * @param number counted from 1, through all stages
 * @param stage counted from 1
 * @param values by parameter
 * @param recipe with those values
 */
public record Trial(int number, int stage, List<Value> values, Recipe recipe) {}
