using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests;

/// <summary>The lab is what it claims: real servers answer where <see cref="LabRealm"/> says.</summary>
[Collection(Lab.FaultyKdcs)]
public sealed class LabTests
{
    public static TheoryData<string> Realms => [.. LabRealm.All.Select(realm => realm.Part)];

    public static TheoryData<string> RealmsWithWeb => [.. LabRealm.All.Where(realm => realm.HttpPort != 0).Select(realm => realm.Part)];

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task Each_kdc_answers_for_its_realm(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();

        await ShouldAnswerForAsync(realm.Realm, realm.Kdc);
    }

    [Fact]
    public async Task Each_fault_kdc_and_the_second_controller_answer_for_their_realms()
    {
        Lab.Require("mit-faults", "samba-dc2");

        await ShouldAnswerForAsync("MIT.TEST", LabFaults.Second);
        await ShouldAnswerForAsync("MIT.TEST", LabFaults.TcpOnly);
        await ShouldAnswerForAsync("MIT.TEST", LabFaults.TooBigForUdp);
        await ShouldAnswerForAsync("MIT.TEST", LabFaults.TenMinutesAhead);
        await ShouldAnswerForAsync("AD.TEST", LabFaults.SecondOfAd);
    }

    [Theory]
    [MemberData(nameof(RealmsWithWeb))]
    public async Task Apache_asks_for_a_ticket(string part)
    {
        var realm = LabRealm.Get(part);
        realm.RequireWeb();

        await ShouldAskForNegotiateAsync(realm.Web("spnego/"));
        await ShouldAskForNegotiateAsync(realm.WebTls("spnego/"));
    }

    [Fact]
    public async Task The_other_web_servers_ask_for_a_ticket()
    {
        Lab.Require("web", "nginx", "acceptors");

        foreach (var url in new[] { LabWeb.ReplayCache, LabWeb.Nginx, LabWeb.NginxOfAd22, LabWeb.Java, LabWeb.JavaTls, LabWeb.PythonTls })
            await ShouldAskForNegotiateAsync(url);
    }

    [Fact]
    public async Task A_script_of_the_lab_can_be_called()
    {
        LabRealm.Mit.Require();

        var output = await Lab.RunScriptAsync("mit", ["status"], TestContext.Current.CancellationToken);

        output.Trim().ShouldBe("mit up");
    }

    private static async Task ShouldAnswerForAsync(string realm, KdcEndpoint kdc)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(kdc.Host, kdc.Port, cancellation);
        var stream = tcp.GetStream();
        await stream.WriteAsync(AsRequestFor("no-such-user", realm), cancellation);
        var length = new byte[4];
        await stream.ReadExactlyAsync(length, cancellation);
        var reply = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        await stream.ReadExactlyAsync(reply, cancellation);

        // RFC 4120 §5.9.1: KRB-ERROR ::= [APPLICATION 30], and it names its realm.
        reply[0].ShouldBe((byte)0x7E);
        Encoding.Latin1.GetString(reply).ShouldContain(realm);
    }

    private static async Task ShouldAskForNegotiateAsync(Uri url)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var expected = X509CertificateLoader.LoadCertificateFromFile(LabWeb.CertificatePath);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => expected.Equals(certificate);
        using var http = new HttpClient(handler);

        using var response = await http.GetAsync(url, TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.Select(challenge => challenge.ToString()).ShouldBe(["Negotiate"]);
    }

    // An AS-REQ (RFC 4120 §5.4.1) with nothing but what must be there, written by hand so that this test needs nothing of the engine,
    // behind TCP's length (§7.2.2).
    private static byte[] AsRequestFor(string user, string realm)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, 10)))
        using (writer.PushSequence())
        {
            Field(1, () => writer.WriteInteger(5));                     // pvno
            Field(2, () => writer.WriteInteger(10));                    // msg-type: AS-REQ
            Field(4, () =>                                              // req-body
            {
                using var body = writer.PushSequence();
                Field(0, () => writer.WriteBitString(new byte[4]));     // kdc-options
                Field(1, () => Name(1, user));                          // cname
                Field(2, () => Text(realm));                            // realm
                Field(3, () => Name(2, "krbtgt", realm));               // sname
                Field(5, () => writer.WriteGeneralizedTime(
                    new DateTimeOffset(2037, 9, 13, 2, 48, 5, TimeSpan.Zero), omitFractionalSeconds: true));
                Field(7, () => writer.WriteInteger(1));                 // nonce
                Field(8, () => { using (writer.PushSequence()) writer.WriteInteger(18); });
            });
        }
        var request = writer.Encode();
        var framed = new byte[4 + request.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, request.Length);
        request.CopyTo(framed, 4);
        return framed;

        void Field(int number, Action write)
        {
            using var field = writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, number));
            write();
        }

        // KerberosString is a GeneralString (universal 27), for which AsnWriter has no method.
        void Text(string text) => writer.WriteEncodedValue([27, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)]);

        void Name(int type, params string[] components)
        {
            using var name = writer.PushSequence();
            Field(0, () => writer.WriteInteger(type));
            Field(1, () =>
            {
                using var strings = writer.PushSequence();
                foreach (var component in components)
                    Text(component);
            });
        }
    }
}
