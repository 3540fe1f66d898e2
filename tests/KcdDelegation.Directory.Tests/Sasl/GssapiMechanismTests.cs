using KcdDelegation.DirectoryServices.Sasl;
using KcdDelegation.DirectoryServices.Tests.Servers;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Tests.ApExchange;

namespace KcdDelegation.DirectoryServices.Tests.Sasl;

/// <summary>The choice of the security layer (RFC 4752 §3.1).</summary>
public sealed class GssapiMechanismTests
{
    [Theory]
    [InlineData(true, 5_000, "04001388")]
    [InlineData(true, 1 << 24, "04FFFFFF")]
    [InlineData(false, 5_000, "01000000")]
    public async Task The_client_names_its_layer_and_the_largest_message_that_it_accepts(bool seals, int maxReceive, string expected)
    {
        await using var directory = new TestDirectory();
        var ticket = directory.GetTicket();
        using var context = GssSecurityContext.Create(ticket, seals ? GssProtection.Confidentiality : GssProtection.None, default);
        var mechanism = new GssapiMechanism("dc.test.example", context, seals, maxReceive);
        var acceptor = new GssAcceptor(ticket, mechanism.Start(), assertsSubkey: true);
        mechanism.Continue(acceptor.CreateReply()).IsEmpty.ShouldBeTrue();

        var answer = mechanism.Continue(acceptor.Sign([7, 0, 0xFF, 0xFF]));

        Convert.ToHexString(acceptor.Open(answer.ToArray(), isSealed: false)).ShouldBe(expected);
        var layer = mechanism.Complete(null);
        (layer is not null).ShouldBe(seals);
        // The server's limit is for the wrap token.
        if (layer is not null)
            layer.MaxSend.ShouldBe(0xFFFF - GssapiMechanism.WrapOverhead);
    }

    [Fact]
    public async Task A_server_that_requires_a_layer_inside_TLS_is_refused()
    {
        await using var directory = new TestDirectory();
        var ticket = directory.GetTicket();
        using var context = GssSecurityContext.Create(ticket, GssProtection.None, default);
        var mechanism = new GssapiMechanism("dc.test.example", context, seals: false, 5_000);
        var acceptor = new GssAcceptor(ticket, mechanism.Start(), assertsSubkey: true);
        mechanism.Continue(acceptor.CreateReply());

        Should.Throw<DirectoryException>(() => { mechanism.Continue(acceptor.Sign([6, 0, 0xFF, 0xFF])); })
            .Message.ShouldContain("inside TLS");
    }
}
