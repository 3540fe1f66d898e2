using System.Net;
using KcdDelegation.InteropTests.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests;

/// <summary>Changes the key of a service under load, at the KDC and in the keytab of Apache, without keeping the old key.</summary>
/// <remarks>The service belongs to the test. Its keys are added to Apache's copy of the realm's keytab, which is restored at the
/// end.</remarks>
public sealed class ServiceKeyRollTests
{
    private const int Users = 50;

    [Fact]
    public async Task No_repeatable_request_is_refused_and_no_user_is_refused_twice()
    {
        LabRealm.Mit.RequireWeb();
        await using var company = await LabCompany.FoundAsync(LabRealm.Mit, Cancel);
        await company.RunAsync("kadmin.local ktadd -norandkey -k {keytab} {account}", Cancel);
        var keys = Lab.GetPath($"mit/kt/{company.Account}-web.keytab");
        try
        {
            await ExportAsync(company, keys);
            await using var application = new LabApplication(
                LabRealm.Mit, LabRealm.Mit.Web("spnego/"), ServiceAccount.FromKeytab(company.Account, company.KeytabPath),
                [EncryptionType.Aes256CtsHmacSha1]);
            application.Settings = application.Settings with { Service = ServicePrincipalName.Parse(company.Spn) };
            using var client = application.CreateClient();
            // Apache closes kept connections after five seconds. A body that cannot be sent again would then fail for another reason.
            client.DefaultRequestHeaders.ConnectionClose = true;
            var users = Enumerable.Range(1, Users).Select(number => $"u{number:D3}").ToList();
            (await Task.WhenAll(users.Select(user => GetStatusAsync(application, client, user, once: false))))
                .ShouldAllBe(status => status == HttpStatusCode.OK);

            using var rolled = new CancellationTokenSource();
            var load = users.Select(user => LoadAsync(application, client, user, rolled.Token)).ToList();
            await company.RunAsync("kadmin.local cpw -randkey {spn}", Cancel);
            await ExportAsync(company, keys);
            await rolled.CancelAsync();

            var results = await Task.WhenAll(load);
            application.Replacements.ShouldBe(Users, "each user's first ticket was refused");
            foreach (var (repeatable, onceOnly) in results)
            {
                repeatable.ShouldAllBe(status => status == HttpStatusCode.OK);
                onceOnly.ShouldAllBe(status => status == HttpStatusCode.OK || status == HttpStatusCode.Unauthorized);
                onceOnly.Count(status => status == HttpStatusCode.Unauthorized).ShouldBeLessThanOrEqualTo(1);
            }
        }
        finally
        {
            File.Delete(keys);
            await Lab.RunScriptAsync("web", ["keytabs"], CancellationToken.None);
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Exports the service's keys and adds them to Apache's copy of the keytab in one step.</summary>
    private static async Task ExportAsync(LabCompany company, string keys)
    {
        File.Delete(keys);
        await company.RunAsync($"kadmin.local ktadd -norandkey -k {keys} {{spn}}", Cancel);
        var copy = Lab.GetPath("web/mit.keytab");
        // A keytab is a version number of two bytes and a list of entries.
        byte[] merged = [.. await File.ReadAllBytesAsync(LabRealm.Mit.Keytab("web"), Cancel),
            .. (await File.ReadAllBytesAsync(keys, Cancel)).Skip(2)];
        await File.WriteAllBytesAsync(keys, merged, Cancel);
        await LabProgram.RunAsync("install", ["-m", "600", "-o", "www-data", keys, $"{copy}.roll"], "", Cancel);
        File.Move($"{copy}.roll", copy, overwrite: true);
    }

    /// <summary>Sends requests of both kinds until the keys are rolled, and some afterwards.</summary>
    private static async Task<(List<HttpStatusCode> Repeatable, List<HttpStatusCode> OnceOnly)> LoadAsync(
        LabApplication application, HttpClient client, string user, CancellationToken rolled)
    {
        var (repeatable, onceOnly) = (new List<HttpStatusCode>(), new List<HttpStatusCode>());
        for (var after = 0; after < 3; after += rolled.IsCancellationRequested ? 1 : 0)
        {
            onceOnly.Add(await GetStatusAsync(application, client, user, once: true));
            repeatable.Add(await GetStatusAsync(application, client, user, once: false));
        }
        return (repeatable, onceOnly);
    }

    private static async Task<HttpStatusCode> GetStatusAsync(LabApplication application, HttpClient client, string user, bool once)
    {
        using var body = once ? new OnceOnlyContent() : null;
        using var response = await application.SendAsync(client, user, body);
        response.GetKcdRefusal()?.Cause.ShouldContain("key version");
        return response.StatusCode;
    }

    /// <summary>A body of unknown length that can be written once.</summary>
    private sealed class OnceOnlyContent : HttpContent
    {
        private bool _sent;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            _sent.ShouldBeFalse();
            _sent = true;
            await stream.WriteAsync("body"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
