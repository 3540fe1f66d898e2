using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>Names of the directory and of DNS in findings: they may contain any character.</summary>
public sealed class HostileNamesTests
{
    private const string Hostile = "HTTP/app.\u001b[31m\r\n  1  OK       All is well.\u202e\u200b";

    [Fact]
    public void Characters_that_break_lines_or_are_invisible_are_printed_as_code_points()
    {
        var finding = CreateSubject().Fix($"It contains {Hostile}.", $"Remove {Hostile}.", $"Name: {Hostile}");

        string[] texts = [finding.Text, finding.Remedy!, .. finding.Evidence];
        foreach (var text in texts)
        {
            text.ShouldContain("<U+001B>[31m<U+000D><U+000A>");
            text.ShouldContain("<U+202E><U+200B>");
            text.ShouldNotContain(character => char.IsControl(character) || character == '\u202e');
        }
    }

    [Fact]
    public void A_long_remedy_is_printed_whole() =>
        CreateSubject().Look("", $"Run `printf {new string('x', 2000)}`.").Commands.ShouldHaveSingleItem().Text.Length.ShouldBe(2007);

    [Theory]
    [InlineData("HTTP/app.contoso.com", "'HTTP/app.contoso.com'")]
    [InlineData("HTTP/app.`touch /tmp/x`", "'<SPN>'")]
    [InlineData("HTTP/app. || touch /tmp/x", "'<SPN>'")]
    public void A_name_that_the_directory_has_is_never_a_command(string name, string quoted)
    {
        var remedy = DelegationChecks.DescribeSimilar(name);

        remedy.ShouldContain(quoted);
        RemedyCommands.From(remedy).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("ldap/dc1.contoso.com", true)]
    [InlineData("HTTP/DC1.contoso.com", true)]
    [InlineData("time/dc1", true)]
    [InlineData("cifs/dc1.contoso.com/contoso.com", true)]
    [InlineData("MSSQLSvc/dc1.contoso.com:1433", true)]
    [InlineData("krbtgt/OTHER.COM", true)]
    [InlineData("ldap/contoso.com", true)]
    [InlineData("HTTP/contoso.com", false)]
    [InlineData("HTTP/dc10.contoso.com", false)]
    [InlineData("HTTP/erp.contoso.com", false)]
    [InlineData("no-name", false)]
    [InlineData("", false)]
    public void A_target_at_a_controller_is_dangerous_whatever_its_class(string target, bool isDangerous) =>
        AccountChecks.IsDangerous(
            target, new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "dc1.contoso.com" }, "contoso.com").ShouldBe(isDangerous);

    private static CheckSubject CreateSubject()
    {
        var check = DelegationDoctor.Checks.First(check => check.Scope == CheckScope.User);
        var user = new UserFacts(null!, KerberosPrincipal.Principal("ada", "CONTOSO.COM"));
        var request = new DoctorRequest { Settings = null!, LoggerFactory = NullLoggerFactory.Instance };
        return new CheckSubject(request, check, null!, user, null, []);
    }
}
