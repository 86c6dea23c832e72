package dev.lamina.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.Test;

/** Which package may use which: a forbidden dependency is easiest to undo on the day it is written. */
class RoomsTest {
  private static final String OURS = "dev.lamina..";
  private static final JavaClasses CLASSES =
      new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.lamina");

  @Test
  void rulesSeeTheClassesOfTheProduct() {
    assertTrue(CLASSES.contain("dev.lamina.tensor.Shape"));
    assertTrue(CLASSES.contain("dev.lamina.graph.Expr"));
  }

  @Test
  void onlyTheCpuDeviceUsesTheVectorApi() {
    check(onlyIn("dev.lamina.device.cpu..", "jdk.incubator.vector.."));
  }

  @Test
  void onlyTheCudaDeviceUsesJcuda() {
    check(onlyIn("dev.lamina.device.cuda..", "jcuda.."));
  }

  /** These are defined by the ordinary class loader, the rest of the device by one that hands JCuda its natives. */
  @Test
  void whatFindsTheCudaLibrariesDoesNotUseJcuda() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.lamina.device.cuda.library..")
            .or(isTheCudaProvider())
            .should()
            .dependOnClassesThat(
                JavaClass.Predicates.resideInAPackage("jcuda..")
                    .or(
                        JavaClass.Predicates.resideInAPackage("dev.lamina.device.cuda")
                            .and(DescribedPredicate.not(isTheCudaProvider())))));
  }

  /** From outside, the CUDA device is a service like any other. */
  @Test
  void nobodyNamesTheCudaDevice() {
    check(onlyIn("dev.lamina.device.cuda..", "dev.lamina.device.cuda.."));
  }

  @Test
  void tensorDependsOnNothingOfOurs() {
    check(dependsOnlyOn("dev.lamina.tensor..", "dev.lamina.tensor.."));
  }

  @Test
  void graphDependsOnTensorsOnly() {
    check(dependsOnlyOn("dev.lamina.graph..", "dev.lamina.graph..", "dev.lamina.tensor.."));
  }

  @Test
  void deviceSeamKnowsNoParticularDeviceAndNoLayer() {
    check(dependsOnlyOn("dev.lamina.device", "dev.lamina.device", "dev.lamina.graph..", "dev.lamina.tensor.."));
  }

  @Test
  void devicesKnowNoLayer() {
    check(dependsOnlyOn("dev.lamina.device..", "dev.lamina.device..", "dev.lamina.graph..", "dev.lamina.tensor.."));
  }

  @Test
  void modelsNeverMentionADevice() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage("dev.lamina.nn..", "dev.lamina.loss..", "dev.lamina.optim..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.lamina.device.."));
  }

  @Test
  void packagesDoNotDependOnEachOtherInCircles() {
    check(slices().matching("dev.lamina.(**)").should().beFreeOfCycles());
  }

  @Test
  void fieldsOfClassesAreConstants() {
    check(
        fields()
            .that()
            .areStatic()
            .and()
            .doNotHaveModifier(JavaModifier.SYNTHETIC)
            .and()
            .areDeclaredInClassesThat()
            .resideInAPackage(OURS)
            .should()
            .beFinal());
  }

  /** Final is not enough where the object itself changes. */
  @Test
  void constantsAreNotContainersOfGlobalState() {
    check(
        fields()
            .that()
            .areStatic()
            .should()
            .notHaveRawType(ThreadLocal.class)
            .andShould()
            .notHaveRawType(JavaClass.Predicates.resideInAPackage("java.util.concurrent.."))
            .andShould()
            .notHaveRawType(
                DescribedPredicate.describe(
                    "a mutable collection",
                    type ->
                        type.isAssignableTo(java.util.AbstractCollection.class)
                            || type.isAssignableTo(java.util.AbstractMap.class))));
  }

  @Test
  void rulesFailWhereTheyAreBroken() {
    var tests = new ClassFileImporter().importClasses(UsesTheVectorApi.class, HasMutableState.class);
    assertThrows(AssertionError.class, () -> onlyIn("dev.lamina.device.cpu..", "jdk.incubator.vector..").check(tests));
    assertThrows(AssertionError.class, () -> fields().that().areStatic().should().beFinal().check(tests));
  }

  private static DescribedPredicate<JavaClass> isTheCudaProvider() {
    return DescribedPredicate.describe(
        "the provider", type -> type.getName().matches("dev\\.lamina\\.device\\.cuda\\.CudaProvider(\\$.*)?"));
  }

  private static ArchRule onlyIn(String room, String library) {
    return noClasses().that().resideOutsideOfPackage(room).should().dependOnClassesThat().resideInAPackage(library);
  }

  private static ArchRule dependsOnlyOn(String room, String... allowed) {
    return classes()
        .that()
        .resideInAPackage(room)
        .should()
        .onlyDependOnClassesThat(
            DescribedPredicate.not(JavaClass.Predicates.resideInAPackage(OURS))
                .or(JavaClass.Predicates.resideInAnyPackage(allowed)));
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }

  static final class UsesTheVectorApi {
    static float sum(jdk.incubator.vector.FloatVector v) {
      return v.lane(0);
    }
  }

  static final class HasMutableState {
    static int calls = 1;
  }
}
