package dev.lamina.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaFieldAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Arrays;
import java.util.Set;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.junit.jupiter.api.Test;

/**
 * Some operations of the Vector API give other bits interpreted than compiled, and when a method is compiled differs
 * from run to run. Nothing may use them.
 */
class ReproducibleNumericsTest {
  private static final Set<String> TRANSCENDENTAL =
      Set.of(
          "EXP", "EXPM1", "LOG", "LOG1P", "LOG10", "TANH", "SIN", "COS", "TAN", "SINH", "COSH", "ASIN", "ACOS", "ATAN",
          "ATAN2", "POW", "CBRT", "HYPOT");

  private static final ArchRule NO_TRANSCENDENTAL_LANES =
      noClasses()
          .should()
          .accessFieldWhere(
              DescribedPredicate.describe(
                  "it is a transcendental operator of the Vector API",
                  (JavaFieldAccess access) ->
                      access.getTargetOwner().isEquivalentTo(VectorOperators.class)
                          && TRANSCENDENTAL.contains(access.getTarget().getName())))
          .because("they give other bits interpreted than compiled: use our own polynomials over fma");

  private static final ArchRule NO_FLOATING_POINT_REDUCTIONS =
      noClasses()
          .should()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "it reduces the lanes of a floating-point vector",
                  (JavaCall<?> call) ->
                      call.getTarget().getName().startsWith("reduceLanes")
                          && (call.getTargetOwner().isEquivalentTo(FloatVector.class)
                              || call.getTargetOwner().isEquivalentTo(DoubleVector.class)
                              || call.getTargetOwner().isEquivalentTo(jdk.incubator.vector.Vector.class))))
          .because(
              "the order of the sum changes when the method is compiled: store the vector and add its lanes in order");

  @Test
  void productUsesOnlyOperationsWithTheSameBitsEverywhere() {
    var product =
        new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.lamina");
    NO_TRANSCENDENTAL_LANES.check(product);
    NO_FLOATING_POINT_REDUCTIONS.check(product);
  }

  @Test
  void rulesFailWhereTheyAreBroken() {
    var exp = new ClassFileImporter().importClasses(Exp.class);
    var sum = new ClassFileImporter().importClasses(Sum.class);
    assertThrows(AssertionError.class, () -> NO_TRANSCENDENTAL_LANES.check(exp));
    assertThrows(AssertionError.class, () -> NO_FLOATING_POINT_REDUCTIONS.check(sum));
  }

  @Test
  void namesOfTheOperatorsAreThoseOfTheVectorApi() {
    var names = Arrays.stream(VectorOperators.class.getFields()).map(java.lang.reflect.Field::getName).toList();
    assertTrue(names.containsAll(TRANSCENDENTAL));
  }

  static final class Exp {
    static FloatVector of(FloatVector v) {
      return v.lanewise(VectorOperators.EXP);
    }
  }

  static final class Sum {
    static float of(FloatVector v) {
      return v.reduceLanes(VectorOperators.ADD);
    }
  }
}
