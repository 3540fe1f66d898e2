using System.Buffers.Binary;
using System.Text;
using KcdDelegation.Fuzzing;
using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tests.Files;
using KcdDelegation.Kerberos.Tests.Messages;
using KcdDelegation.Kerberos.Tests.Transport;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Decoder = KcdDelegation.Fuzzing.Decoder;

namespace KcdDelegation.Kerberos.Tests.Fuzz;

/// <summary>Every decoder of the engine that reads bytes from outside, with the exceptions that it documents.</summary>
internal static class EngineDecoders
{
    private static readonly byte[] s_dnsQuery = DnsMessage.EncodeQuery(0x1234, "_kerberos._tcp.contoso.test")!;

    public static IReadOnlyList<Decoder> All { get; } =
    [
        .. MessageDecoders.All,
        new("error-data", [],
            [KerbErrorData.Encode(unchecked((int)0xC000_0234)), PaData.EncodeMethodData([new PaData((PaDataType)3, new byte[12])])],
            bytes => $"{KerbErrorData.ReadNtStatus(bytes)}"),
        new("etype-info2-rounds", [typeof(KerberosException)], [Samples.All["ETYPE-INFO2"].Bytes],
            bytes => string.Join(' ', EtypeInfo2Entry.DecodeList(bytes).Select(entry => entry.Iterations))),
        new("gss-token", [typeof(KerberosException)], [GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, Samples.All["AP-REQ"].Bytes)],
            bytes => $"{GssKerberosToken.Unwrap(bytes).TokenType}"),
        new("presented-token", [typeof(KerberosException)], [PresentedTokens.Token()], PresentedTokens.Accept),
        new("presented-ticket", [typeof(KerberosException)], [PresentedTokens.Ticket().Encode()], PresentedTokens.AcceptTicket)
        {
            Extremes = [(PresentedTokens.Ticket() with { Client =
                new PrincipalName(1, [.. Enumerable.Repeat(new string('a', 1_000), PrincipalName.MaxComponents)]) }).Encode()],
        },
        new("presented-authenticator", [typeof(KerberosException)], [PresentedTokens.Authenticator().Encode()],
            PresentedTokens.AcceptAuthenticator),
        new("pac", [typeof(KerberosException)], [Pacs.Create("ada@contoso.test", "ada", 1103), Pacs.Create("ada@contoso.test", null, 0)],
            Pacs.AcceptEvidence)
        {
            Extremes = [[.. Pacs.Create("ada@contoso.test", "ada", 1103), .. new byte[200_000]],
                Pacs.Create(new string('a', 15_000), "bob", 1103), Pacs.Create("bob@contoso.test", new string('b', 15_000), 1103)],
        },
        new("keytab", [typeof(InvalidDataException)],
            [KeytabSamples.FromKtutil, KeytabSamples.Bytes(KeytabSamples.Entry("HTTP/web", 3, EncryptionType.Aes256CtsHmacSha1, 7))],
            ReadKeytab)
        {
            Extremes = [[5, 2, .. Enumerable.Repeat(KeytabSamples.FromKtutil[2..], 2_000).SelectMany(entries => entries)]],
        },
        new("password-file", [typeof(InvalidDataException)], [[.. "S3cret pässword\r\n"u8]], bytes =>
        {
            using var password = Password.Read(bytes);
            return $"{password}";
        }),
        new("credential-cache", [typeof(InvalidDataException)], [Caches.Create(1), Caches.Create(3)],
            ReadCache) { Extremes = [Caches.Create(2_000)] },
        new("krb5-conf", [typeof(InvalidDataException), typeof(IOException), typeof(UnauthorizedAccessException)], [[.. Krb5Confs.Sample]],
            Krb5Confs.Read)
        {
            // The file itself is written, opened and read.
            Mutations = 1_000,
            Extremes = [Krb5Confs.Large(20_000)],
        },
        new("dns-answer", [typeof(InvalidDataException)], [DnsSample()], ReadDnsAnswer),
        new("dns-records", [typeof(InvalidDataException)], [[0, 2, 0, 0, 0, 0, .. DnsSample()[s_dnsQuery.Length..]]],
            bytes => ReadDnsAnswer(
                [.. s_dnsQuery[..2], 0x81, 0x80, 0, 1, .. bytes[..Math.Min(6, bytes.Length)], .. new byte[6 - Math.Min(6, bytes.Length)],
                .. s_dnsQuery[12..], .. bytes[Math.Min(6, bytes.Length)..]]))
        {
            Extremes = [[0xff, 0xff, 0, 0, 0, 0, .. Enumerable.Repeat(DnsAnswers.Srv(1, 1, 88, ""), 2_500).SelectMany(record => record)]],
        },
    ];

    private static string ReadKeytab(byte[] bytes)
    {
        using var keytab = new Keytab(KeytabReader.Read(bytes));
        return keytab.Principals + string.Join(' ', keytab.FindEntries("CONNECTOR$", "CONTOSO.COM"));
    }

    private static string ReadCache(byte[] bytes)
    {
        var layout = CredentialCacheReader.Read(bytes);
        return $"{layout.DefaultPrincipal} {string.Join(' ', layout.Entries.Take(3).Select(entry => $"{entry.Client} {entry.Server}"))}";
    }

    private static byte[] DnsSample() =>
        DnsAnswers.To(s_dnsQuery, DnsAnswers.Srv(0, 100, 88, "kdc1.contoso.test"), DnsAnswers.Srv(10, 100, 88, "kdc2.contoso.test"));

    private static string ReadDnsAnswer(byte[] packet)
    {
        if (!DnsMessage.IsAnswerTo(packet, s_dnsQuery) || DnsMessage.IsTruncated(packet))
            return "";
        return string.Join(' ', DnsMessage.ReadAnswer(packet, s_dnsQuery));
    }
}

/// <summary>Credential caches of format 0504.</summary>
internal static class Caches
{
    public static byte[] Create(int credentials)
    {
        byte[] client = [.. Number(1), .. Number(1), .. Text("CONTOSO.TEST"), .. Text("ada")];
        byte[] server = [.. Number(2), .. Number(2), .. Text("CONTOSO.TEST"), .. Text("HTTP"), .. Text("web")];
        byte[] credential =
            [.. client, .. server, 0, 18, .. Number(32), .. new byte[32], .. new byte[21], .. Number(0), .. Number(1), 0, 1, .. Number(3),
            1, 2, 3, .. Number(5), 1, 2, 3, 4, 5, .. Number(0)];
        return [5, 4, 0, 12, 0, 1, 0, 8, .. new byte[8], .. client, .. Enumerable.Repeat(credential, credentials)
            .SelectMany(bytes => bytes)];
    }

    private static byte[] Text(string text) => [.. Number(text.Length), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Number(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }
}

/// <summary>Files of krb5.conf(5), each read from a file of its own name.</summary>
internal static class Krb5Confs
{
    private static readonly string s_path = Path.Combine(Directory.CreateTempSubdirectory("kcd-fuzz-").FullName, "krb5.conf");

    public static ReadOnlySpan<byte> Sample => """
        # a comment
        [libdefaults]
            default_realm = CONTOSO.TEST
        [realms]
            CONTOSO.TEST = {
                kdc = kdc1.contoso.test:88
                kdc = "kdc2.contoso.test"
                admin_server = kdc1.contoso.test
                auth_to_local_names = {
                    a = b
                }
            }
            OTHER.TEST = {
                kdc = [2001:db8::1]:88
            }*
        [domain_realm]
            .contoso.test = CONTOSO.TEST

        """u8;

    public static byte[] Large(int kdcs) =>
        Encoding.UTF8.GetBytes(
            "[realms]\nCONTOSO.TEST = {\n" + string.Concat(Enumerable.Range(0, kdcs).Select(number => $"kdc = kdc{number}\n")) + "}\n");

    public static string Read(byte[] bytes)
    {
        File.WriteAllBytes(s_path, bytes);
        var settings = new StringBuilder();
        var configuration = Krb5Configuration.Load([s_path], NullLogger.Instance);
        foreach (var kdc in configuration.GetKdcs("CONTOSO.TEST").Take(10))
            settings.Append(kdc).Append(' ');
        new Krb5ConfigurationReader(static _ => { }, static _ => { }).Read(s_path);
        return settings.ToString();
    }
}
