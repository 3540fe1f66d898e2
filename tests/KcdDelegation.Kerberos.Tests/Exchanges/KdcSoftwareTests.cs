using System.Buffers.Binary;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>What the PAC of a ticket shows of the KDC's implementation. The lists of buffers are those of the KDCs in the lab.</summary>
public sealed class KdcSoftwareTests
{
    private const int SignedPath = 512;

    [Theory]
    [InlineData(new[] { 1, 10, 12, 6, 7, 16, 19 }, KdcSoftware.DomainController)]
    [InlineData(new[] { 1, 13, 10, 12, 6, 7, 16, 19 }, KdcSoftware.DomainController)]
    [InlineData(new[] { 16, 10, 6, 7 }, KdcSoftware.MitKrb5)]
    [InlineData(new[] { 16, 10, 6, 7, 19 }, KdcSoftware.MitKrb5)]
    public void The_buffers_of_a_PAC_show_the_implementation(int[] buffers, KdcSoftware expected) =>
        KdcSoftwareDetection.Detect([IfRelevant(AuthorizationDataEntry.Pac, Pac(buffers))]).ShouldBe(expected);

    [Fact]
    public void A_ticket_without_a_PAC_shows_nothing()
    {
        KdcSoftwareDetection.Detect([]).ShouldBe(KdcSoftware.Unknown);
        KdcSoftwareDetection.Detect([IfRelevant(SignedPath, [1])]).ShouldBe(KdcSoftware.Unknown);
    }

    [Theory]
    [InlineData(KdcSoftware.Unknown, KdcSoftware.DomainController, KdcSoftware.DomainController)]
    [InlineData(KdcSoftware.Unknown, KdcSoftware.MitKrb5, KdcSoftware.MitKrb5)]
    [InlineData(KdcSoftware.Heimdal, KdcSoftware.DomainController, KdcSoftware.Samba)]
    [InlineData(KdcSoftware.MitKrb5, KdcSoftware.DomainController, KdcSoftware.MitKrb5)] // such as FreeIPA
    [InlineData(KdcSoftware.ActiveDirectory, KdcSoftware.DomainController, KdcSoftware.ActiveDirectory)]
    [InlineData(KdcSoftware.Samba, KdcSoftware.MitKrb5, KdcSoftware.Samba)]
    public void A_ticket_adds_to_what_the_errors_showed(KdcSoftware known, KdcSoftware seen, KdcSoftware expected) =>
        KdcSoftwareDetection.CombineWithTicket(known, seen).ShouldBe(expected);

    [Fact]
    public void A_failure_names_the_implementation_that_a_ticket_of_the_realm_showed()
    {
        using var account = ServiceAccount.FromPassword("svc", "secret");
        // Only the account takes part.
        var context = new ExchangeContext
        {
            Realm = "CONTOSO.TEST", Account = account, EncryptionTypes = [], MaxClockCorrection = default,
            Clock = null!, Dispatcher = null!, Limits = null!, Logger = null!,
        };

        context.NoteTicket("CONTOSO.TEST", [IfRelevant(AuthorizationDataEntry.Pac, Pac([16, 10, 6, 7]))]);

        context.Describe(new KerberosFailure(), "contoso.test").KdcSoftware.ShouldBe(KdcSoftware.MitKrb5);
        context.Describe(new KerberosFailure(), "OTHER.TEST").KdcSoftware.ShouldBe(KdcSoftware.Unknown);
    }

    private static byte[] Pac(int[] buffers)
    {
        var pac = new byte[8 + (16 * buffers.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(pac, buffers.Length);
        for (var i = 0; i < buffers.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(pac.AsSpan(8 + (16 * i)), buffers[i]);
        return pac;
    }

    private static AuthorizationDataEntry IfRelevant(int type, byte[] data) => new(
        AuthorizationDataEntry.IfRelevant,
        MessageFormat.Encode(writer => AuthorizationDataEntry.WriteList(writer, [new AuthorizationDataEntry(type, data)])));
}
