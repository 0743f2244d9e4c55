import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Validate FILE.pdf|FOLDER...: every PDF as PDF/UA-1 and PDF/A-3a, or PDF/UA-2 and PDF/A-4f, with the rules that it breaks. */
public class Validate {
    private static final Map<String, PDFAFlavour> FLAVOURS =
            Map.of("PDF/UA-1", PDFAFlavour.PDFUA_1, "PDF/A-3a", PDFAFlavour.PDFA_3_A);
    private static final Map<String, PDFAFlavour> FLAVOURS_OF_PDF_2 =
            Map.of("PDF/UA-2", PDFAFlavour.PDFUA_2, "PDF/A-4f", PDFAFlavour.PDFA_4_F);

    public static void main(String[] places) throws IOException {
        LogManager.getLogManager().getLogger("").setLevel(Level.OFF);
        VeraGreenfieldFoundryProvider.initialise();
        boolean conforms = true;
        for (String place : places) {
            for (Path file : pdfFiles(Path.of(place))) {
                Map<String, PDFAFlavour> flavours = isPdf2(file) ? FLAVOURS_OF_PDF_2 : FLAVOURS;
                for (String standard : new TreeSet<>(flavours.keySet())) {
                    conforms &= validate(file, standard, flavours.get(standard));
                }
            }
        }
        System.exit(conforms ? 0 : 1);
    }

    private static List<Path> pdfFiles(Path place) throws IOException {
        try (Stream<Path> files = Files.walk(place)) {
            return files.filter(file -> file.equals(place) ? Files.isRegularFile(file) : file.toString().endsWith(".pdf"))
                    .sorted().toList();
        }
    }

    private static boolean isPdf2(Path file) throws IOException {
        try (InputStream data = Files.newInputStream(file)) {
            return new String(data.readNBytes(8), StandardCharsets.ISO_8859_1).startsWith("%PDF-2");
        }
    }

    private static boolean validate(Path file, String standard, PDFAFlavour flavour) {
        try (PDFAParser parser = Foundries.defaultInstance().createParser(file.toFile(), flavour);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
            ValidationResult result = validator.validate(parser);
            System.out.printf("%s  %s  %s%n", result.isCompliant() ? "conforms" : "FAILS   ", standard, file);
            brokenRules(result).forEach((rule, failures) -> System.out.printf(
                    "    %s (%d times)  %s%n        %s%n", rule, failures.size(),
                    failures.get(0).getMessage(), failures.get(0).getLocation().getContext()));
            return result.isCompliant();
        } catch (Exception error) {
            System.out.printf("FAILS     %s  %s%n    %s%n", standard, file, error);
            return false;
        }
    }

    private static Map<String, List<TestAssertion>> brokenRules(ValidationResult result) {
        return result.getTestAssertions().stream()
                .filter(test -> test.getStatus() == TestAssertion.Status.FAILED)
                .collect(Collectors.groupingBy(
                        test -> test.getRuleId().getClause() + "-" + test.getRuleId().getTestNumber(),
                        TreeMap::new, Collectors.toList()));
    }
}
