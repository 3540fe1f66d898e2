using KcdDelegation.Kerberos.Errors;

namespace KcdDelegation.Kerberos.Tests.Errors;

/// <summary>Values from messages in the text of a failure.</summary>
public sealed class FailureTextTests
{
    public static TheoryData<string> Hostile =>
        ["svc\r\nINFO: all is well", "svc\u001b[2J", "svc\u202Enimda", "svc\U000E0041", new string('a', 15_000)];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_received_value_is_printable_and_bounded_in_message_and_detail(string value)
    {
        KerberosException[] errors =
        [
            KerberosException.Rejected($"the KDC answered for {value}"),
            KerberosException.Malformed("PAC", $"has the account {value}"),
            new(new KerberosFailure { Detail = $"the KDC answered for {value}" }),
            new KerberosException(new KerberosFailure()).InContext(new KerberosFailure { Detail = value }),
        ];
        foreach (var error in errors)
        {
            foreach (var text in (string[])[error.Message, error.Detail])
            {
                text.Any(c => char.IsControl(c) || c == '\u202e').ShouldBeFalse();
                text.ShouldNotContain("\U000E0041");
                text.Length.ShouldBeLessThan(4_300);
            }
        }
        errors[0].Message.Length.ShouldBeLessThan(500);
        errors[1].Message.Length.ShouldBeLessThan(500);
    }

    [Fact]
    public void Formats_of_values_are_kept() =>
        KerberosException.Rejected($"ended at {new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero):u}, {5} times").Detail
            .ShouldBe("ended at 2026-01-02 03:04:05Z, 5 times");
}
