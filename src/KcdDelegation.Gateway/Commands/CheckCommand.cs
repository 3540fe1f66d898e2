using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Token;

namespace KcdDelegation.Gateway.Commands;

/// <summary>Checks everything that can be known without a user: the settings, the certificates, the accounts, the identity providers and
/// the addresses of the applications.</summary>
internal sealed class CheckCommand(TextWriter output)
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_certificateWarning = TimeSpan.FromDays(30);

    private ExitCode _result = ExitCode.Done;

    /// <summary>Writes one line for each check.</summary>
    /// <returns>The worst result.</returns>
    public static async Task<ExitCode> RunAsync(
        GatewaySettingsFile file, LoadedSettings loaded, TextWriter output, CancellationToken cancellationToken)
    {
        var command = new CheckCommand(output);
        var settings = loaded.Settings;
        await command.PassAsync($"the settings of {file.Path}");
        await command.CheckStateAsync(settings.State);
        await command.CheckCertificatesAsync(settings);
        foreach (var provider in settings.Providers.Values.OrderBy(provider => provider.Name, StringComparer.Ordinal))
            await command.CheckProviderAsync(provider, cancellationToken);
        await command.CheckAccountsAsync(settings, cancellationToken);
        foreach (var application in settings.Applications.Values.OrderBy(application => application.Name, StringComparer.Ordinal))
        {
            foreach (var url in application.InternalUrls)
                await command.CheckAddressAsync(application, url, cancellationToken);
        }
        return command._result;
    }

    /// <summary>Checks whether the folder of the state can be written, if it exists. Otherwise the gateway creates it.</summary>
    private async Task CheckStateAsync(string? state)
    {
        if (state is null || !Directory.Exists(state))
            return;
        try
        {
            var path = Path.Combine(state, Path.GetRandomFileName());
            await using var file = new FileStream(
                path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            await FailAsync($"the folder {state} of State", $"It cannot be written: {error.Message} Correct its owner or its rights.");
        }
    }

    private async Task CheckCertificatesAsync(GatewaySettings settings)
    {
        var certificates = settings.Listener.Certificates.Select(PemCertificate.Load).ToList();
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (certificate, paths) in certificates.Zip(settings.Listener.Certificates))
            await CheckValidityAsync(certificate.Leaf, paths, now);
        foreach (var application in settings.Applications.Values.Where(application => application.ExternalUrl.Scheme == Uri.UriSchemeHttps))
        {
            var host = application.ExternalUrl.IdnHost;
            if (certificates.Count > 0 && !certificates.Exists(one => one.Leaf.MatchesHostname(host, allowCommonName: false)))
                await FailAsync($"the certificate for {host}",
                    "No certificate of Listener:Certificates names this host. Browsers refuse it.");
        }
        foreach (var certificate in certificates)
            certificate.Dispose();
    }

    private async Task CheckValidityAsync(X509Certificate2 leaf, CertificatePaths paths, DateTimeOffset now)
    {
        var subject = $"the certificate {PrintableText.From(paths.Certificate)} for {string.Join(", ", GetNames(leaf))}";
        var (start, end) = (new DateTimeOffset(leaf.NotBefore), new DateTimeOffset(leaf.NotAfter));
        if (end < now)
            await FailAsync(subject, $"It ended at {end:u}. Replace it.");
        else if (start > now)
            await FailAsync(subject, $"It is valid from {start:u} on. Use another one until then, or correct this machine's clock.");
        else if (end < now + s_certificateWarning)
            await output.WriteLineAsync($"warning {subject}: It ends at {end:u}, within {s_certificateWarning.Days} days. Replace it.");
        else
            await PassAsync($"{subject}, which is valid until {end:u}");
    }

    /// <summary>Returns the names and addresses that clients accept, or the subject if there are none.</summary>
    private static List<string> GetNames(X509Certificate2 leaf)
    {
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(static names => names.EnumerateDnsNames().Concat(
                names.EnumerateIPAddresses().Select(static address => address.ToString())))
            .Select(static name => PrintableText.From(name, 256)).ToList();
        return names.Count > 0 ? names : [PrintableText.From(leaf.Subject, 256)];
    }

    private async Task CheckProviderAsync(ProviderSettings provider, CancellationToken cancellationToken)
    {
        var subject = $"the identity provider {provider.Name}";
        using var documents = new IssuerDocuments(provider.Token, TimeProvider.System);
        try
        {
            await documents.LoadKeysAsync(cancellationToken);
            await PassAsync(subject);
        }
        catch (KcdException error)
        {
            await FailAsync(subject, provider.NameSettings(error));
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or InvalidDataException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await FailAsync(subject, documents.Unreadable(error));
        }
    }

    private async Task CheckAccountsAsync(GatewaySettings settings, CancellationToken cancellationToken)
    {
        var options = new KcdOptions();
        GatewaySettingsParser.BindLibrary(settings, options);
        await using var client = DelegationClient.Create(options);
        foreach (var account in client.Applications.Select(application => application.Client).Distinct())
        {
            var subject = $"the account {account.AccountName} of {account.Realm}";
            try
            {
                await client.GetEngine(account).LogOnAsync(cancellationToken);
                await PassAsync(subject);
            }
            catch (KerberosException error)
            {
                await FailAsync(subject, KcdException.Explain(error));
            }
        }
    }

    private async Task CheckAddressAsync(GatewayApplication application, Uri url, CancellationToken cancellationToken)
    {
        var subject = $"the address {url.AbsoluteUri} of {application.Name}";
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(url.IdnHost, url.Port, timeout.Token);
            if (url.Scheme == Uri.UriSchemeHttps)
            {
                await using var stream = new SslStream(client.GetStream());
                await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = url.IdnHost }, timeout.Token);
            }
            await PassAsync(subject);
        }
        catch (AuthenticationException error)
        {
            await FailAsync(subject,
                $"Its certificate is not accepted: {error.Message} Install the authority's certificate on this machine.");
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await FailAsync(subject, $"It does not answer: {error.Message} Start it, or correct its address.", ExitCode.NoAnswer);
        }
    }

    private Task PassAsync(string subject) => output.WriteLineAsync($"ok      {subject}");

    private Task FailAsync(string subject, KcdException error) =>
        FailAsync(subject, $"{error.Cause} Remedy: {error.Remedy}", error.IsTransient ? ExitCode.NoAnswer : ExitCode.Refused);

    private Task FailAsync(string subject, string reason, ExitCode result = ExitCode.Refused)
    {
        // A refusal decides over a missing answer.
        _result = _result == ExitCode.Refused ? ExitCode.Refused : result;
        return output.WriteLineAsync($"failed  {subject}: {reason}");
    }
}
