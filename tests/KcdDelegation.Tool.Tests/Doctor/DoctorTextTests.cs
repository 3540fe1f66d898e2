using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests.Doctor;

/// <summary>The report as text.</summary>
public sealed class DoctorTextTests
{
    [Fact]
    public void An_expected_state_is_one_line_and_a_fault_has_its_details()
    {
        var lines = Write(ExampleReports.CreateMixed());

        lines.ShouldContain("  3  OK       Every KDC answers over TCP. [kdc.tcp, svc-gateway@CONTOSO.COM]");
        lines.ShouldContain(
            "  7  SKIPPED  The account gets a ticket to the application in the user's name. Not checked because: The KDC refuses a ticket "
            + "to HTTP/erp.contoso.com (check delegation.list). [delegation.ticket, erp]");
        var fault = lines.SkipWhile(line => !line.StartsWith("  5  FIX", StringComparison.Ordinal)).Take(7);
        fault.ShouldBe(
        [
            "  5  FIX      The account's own ticket is not forwardable, so it cannot delegate any user. "
                + "[account.forwardable, svc-gateway@CONTOSO.COM]",
            "              expected  The account itself may be delegated, and so may delegate.",
            "              evidence  Flags: Renewable",
            "              remedy    Allow the account to be delegated: Active Directory Set-ADUser svc-gateway -AccountNotDelegated "
                + "$false.",
            "              command   Set-ADUser svc-gateway -AccountNotDelegated $false",
            "              proof     kcd doctor --config /etc/kcd/gateway.json --app erp --user alice --only account.forwardable",
            "              more      docs/troubleshooting.md#check-account-forwardable",
        ]);
    }

    [Fact]
    public void Several_faults_are_listed_in_the_order_of_their_correction()
    {
        var lines = Write(ExampleReports.CreateMixed());

        lines.SkipWhile(line => !line.StartsWith("Correct the faults", StringComparison.Ordinal)).ShouldBe(
        [
            "Correct the faults in this order, and run the command again after each:",
            "  6  No delegation list allows svc-gateway to delegate to HTTP/erp.contoso.com.",
            "  5  The account's own ticket is not forwardable, so it cannot delegate any user.",
            "2 FIX, 1 LOOK, 4 OK, 2 SKIPPED in 2.4 s",
        ]);
    }

    [Fact]
    public void Lines_are_wrapped_at_the_width_of_the_terminal_and_commands_are_not()
    {
        var lines = Write(ExampleReports.CreateMixed(), width: 80);

        lines.Where(line => line.Length > 80).ShouldAllBe(line => line.Contains("kcd doctor", StringComparison.Ordinal)
            || line.Contains("Set-ADUser", StringComparison.Ordinal) || line.Contains("samba-tool", StringComparison.Ordinal));
        lines.ShouldContain("              evidence  The KDC's answer: KDC_ERR_BADOPTION in S4U2Proxy for");
        lines.ShouldContain("                        HTTP/erp.contoso.com as alice@CONTOSO.COM by svc-gateway");
    }

    [Fact]
    public void Colors_are_written_to_a_terminal_with_colors_only_and_change_no_text()
    {
        var plain = string.Join('\n', Write(ExampleReports.CreateMixed(), width: 80));
        var colored = string.Join('\n', Write(ExampleReports.CreateMixed(), width: 80, hasColors: true));

        plain.ShouldNotContain("\u001b");
        colored.ShouldContain("  5  \u001b[1;31mFIX    \u001b[0m  ");
        System.Text.RegularExpressions.Regex.Replace(colored, "\u001b\\[[0-9;]*m", "", default, TimeSpan.FromSeconds(1)).ShouldBe(plain);
    }

    [Fact]
    public void Texts_of_servers_do_not_control_the_terminal()
    {
        foreach (var hasColors in (bool[])[false, true])
        {
            var text = string.Join('\n', Write(ExampleReports.CreateHostile(), width: 80, hasColors));

            text.ShouldContain("<U+001B>[31m<U+202E>gnp");
            text.ShouldNotContain("\u001b[31m\u202e");
            text.Any(c => c is '\u202e' or '\u2066' or '\0' or '\r').ShouldBeFalse();
        }
    }

    private static string[] Write(DoctorReport report, int? width = null, bool hasColors = false)
    {
        using var output = new StringWriter { NewLine = "\n" };
        ExampleReports.ToResult(report).WriteText(new OutputStream(output, width) { HasColors = hasColors });
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
