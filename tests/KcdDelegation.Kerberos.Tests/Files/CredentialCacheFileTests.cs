using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.Files;

public sealed class CredentialCacheFileTests : IDisposable
{
    private static readonly CachePrincipal Ada = Principal(1, "CONTOSO.COM", "ada");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    private string FilePath => Path.Combine(_directory.FullName, "cc");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_new_file_has_exactly_the_bytes_of_the_users_cache()
    {
        await AddAsync(Credential("web") with { RenewUntil = DateTimeOffset.FromUnixTimeSeconds(0x04050607) });

        Convert.ToHexStringLower(await BytesAsync()).ShouldBe(
            "0504" + "0000"
            + PrincipalHex(1, "CONTOSO.COM", "ada")
            + PrincipalHex(1, "CONTOSO.COM", "ada") + PrincipalHex(2, "CONTOSO.COM", "HTTP", "web")
            + "0012" + "00000020" + new string('7', 64)
            + "01020304" + "01020304" + "01020999" + "04050607" + "00" + "40a00000"
            + "00000000" + "00000000"
            + "00000003" + "6101ff" + "00000000");
    }

    [Fact]
    public async Task Only_the_owner_may_read_the_file_and_no_temporary_file_remains()
    {
        await AddAsync(Credential("web"));

        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(FilePath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(_directory.FullName).ShouldBe([FilePath]);
    }

    [Fact]
    public async Task A_second_service_is_appended_and_the_same_service_is_replaced()
    {
        await AddAsync(Credential("web"));
        await AddAsync(Credential("db"));
        await AddAsync(Credential("web") with { Ticket = new byte[] { 0x61, 0x02, 1, 2 } });

        Services(await BytesAsync()).ShouldBe(["HTTP/db@CONTOSO.COM", "HTTP/web@CONTOSO.COM"]);
        Convert.ToHexStringLower(await BytesAsync()).ShouldEndWith("00000004" + "61020102" + "00000000");
    }

    [Fact]
    public async Task Header_fields_settings_and_other_tickets_are_kept_unchanged()
    {
        var setting = CredentialHex(
            PrincipalHex(1, "CONTOSO.COM", "ada"), PrincipalHex(0, "X-CACHECONF:", "krb5_ccache_conf_data", "refresh_time"));
        var foreign = CredentialHex(PrincipalHex(1, "CONTOSO.COM", "ada"), PrincipalHex(2, "CONTOSO.COM", "krbtgt", "CONTOSO.COM"));
        var old = "0504" + "000c" + "000100080000000100000002" + PrincipalHex(1, "CONTOSO.COM", "ada") + setting + foreign;
        await File.WriteAllBytesAsync(FilePath, Convert.FromHexString(old), TestContext.Current.CancellationToken);

        await AddAsync(Credential("web"));

        var bytes = await BytesAsync();
        Convert.ToHexStringLower(bytes).ShouldStartWith(old);
        CredentialCacheReader.Read(bytes).Entries.Select(entry => entry.IsSetting).ShouldBe([true, false, false]);
    }

    [Fact]
    public async Task An_empty_file_is_filled()
    {
        await File.WriteAllBytesAsync(FilePath, [], TestContext.Current.CancellationToken);

        await AddAsync(Credential("web"));

        Services(await BytesAsync()).ShouldBe(["HTTP/web@CONTOSO.COM"]);
    }

    [Fact]
    public async Task Another_users_cache_is_rejected_and_not_changed()
    {
        await AddAsync(Credential("web"));
        var before = await BytesAsync();

        var error = await Should.ThrowAsync<InvalidDataException>(
            () => AddAsync(Credential("web") with { Client = Principal(1, "CONTOSO.COM", "Ada") }));

        error.Message.ShouldContain("is the credential cache of ada@CONTOSO.COM, but the ticket is for Ada@CONTOSO.COM");
        (await BytesAsync()).ShouldBe(before);
    }

    [Theory]
    [InlineData("0503", "version 0503")]
    [InlineData("05040000", "truncated")]
    [InlineData("6e6f7465730a", "not a credential cache")]
    [InlineData("05040000000000017fffffff00000000", "truncated")]
    public async Task A_file_that_is_not_a_cache_is_rejected_and_not_changed(string hex, string why)
    {
        await File.WriteAllBytesAsync(FilePath, Convert.FromHexString(hex), TestContext.Current.CancellationToken);

        var error = await Should.ThrowAsync<InvalidDataException>(() => AddAsync(Credential("web")));

        error.Message.ShouldContain(why);
        error.Message.ShouldContain(FilePath);
        Convert.ToHexStringLower(await BytesAsync()).ShouldBe(hex);
    }

    [Fact]
    public async Task A_truncated_cache_is_rejected_unless_it_ends_after_an_entry()
    {
        await AddAsync(Credential("web"));
        var whole = await BytesAsync();
        var head = CredentialCacheReader.Read(whole).Head.End.Value;

        for (var length = 0; length < whole.Length; length++)
        {
            if (length == head)
                CredentialCacheReader.Read(whole.AsSpan(0, length)).Entries.ShouldBeEmpty();
            else
                Should.Throw<InvalidDataException>(() => CredentialCacheReader.Read(whole.AsSpan(0, length)));
        }
    }

    [Fact]
    public async Task Mutated_caches_are_read_or_rejected_with_InvalidDataException()
    {
        await AddAsync(Credential("web"));
        await AddAsync(Credential("db"));
        var whole = await BytesAsync();
        for (var round = 0; round < 20_000; round++)
        {
            var mutated = whole.ToArray();
            mutated[RandomNumberGenerator.GetInt32(mutated.Length)] = (byte)RandomNumberGenerator.GetInt32(256);
            try
            {
                CredentialCacheReader.Read(mutated).Entries.Count.ShouldBeLessThan(mutated.Length);
            }
            catch (InvalidDataException refused)
            {
                refused.Message.ShouldNotBeEmpty();
            }
        }
    }

    [Fact]
    public async Task Concurrent_writes_lose_no_ticket()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AddAsync(Credential($"web{i}"))));

        Services(await BytesAsync()).Order(StringComparer.Ordinal)
            .ShouldBe(Enumerable.Range(0, 20).Select(i => $"HTTP/web{i}@CONTOSO.COM").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_credential_prints_no_key() =>
        Credential("web").ToString().ShouldBe("ada@CONTOSO.COM for HTTP/web@CONTOSO.COM");

    private static CachedCredential Credential(string host) => new()
    {
        Client = Ada,
        Server = Principal(2, "CONTOSO.COM", "HTTP", host),
        SessionKeyType = EncryptionType.Aes256CtsHmacSha1,
        SessionKey = Enumerable.Repeat((byte)0x77, 32).ToArray(),
        AuthTime = DateTimeOffset.FromUnixTimeSeconds(0x01020304),
        StartTime = DateTimeOffset.FromUnixTimeSeconds(0x01020304),
        EndTime = DateTimeOffset.FromUnixTimeSeconds(0x01020999),
        Flags = TicketFlags.Forwardable | TicketFlags.Renewable | TicketFlags.PreAuthenticated,
        Ticket = new byte[] { 0x61, 0x01, 0xff },
    };

    private static CachePrincipal Principal(int type, string realm, params string[] components) =>
        new(new PrincipalName(type, components), realm);

    private static string PrincipalHex(int type, string realm, params string[] components) =>
        $"{type:x8}{components.Length:x8}" + string.Concat(new[] { realm }.Concat(components).Select(CountedHex));

    private static string CountedHex(string text) => $"{text.Length:x8}" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));

    private static string CredentialHex(string client, string server) =>
        client + server + "0000" + "00000000" + new string('0', 32) + "00" + "00000000"
        + "00000001" + "0002" + "00000004" + "7f000001" + "00000001" + "0001" + "00000001" + "aa" + "00000002" + "beef" + "00000000";

    private static IEnumerable<string> Services(byte[] file) =>
        CredentialCacheReader.Read(file).Entries.Select(entry => entry.Server.ToString());

    private Task AddAsync(CachedCredential credential) =>
        CredentialCacheWriter.AddAsync(FilePath, credential, TestContext.Current.CancellationToken);

    private Task<byte[]> BytesAsync() => File.ReadAllBytesAsync(FilePath, TestContext.Current.CancellationToken);
}
