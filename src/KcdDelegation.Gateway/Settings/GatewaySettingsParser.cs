using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using KcdDelegation.DirectoryServices;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses the configuration of the gateway as a whole, or reports everything that is wrong with it.</summary>
internal static class GatewaySettingsParser
{
    /// <summary>Parses a configuration.</summary>
    /// <exception cref="GatewaySettingsException">A setting is wrong. The exception has every error.</exception>
    public static GatewaySettings Parse(IConfiguration configuration)
    {
        var binding = new SettingsErrors("");
        var options = new GatewayOptions();
        SettingsBinder.Bind(configuration, options, GatewayOptionTypes.All, binding, otherSection: GatewayOptionTypes.Kcd);
        var kcd = configuration.GetSection(GatewayOptionTypes.Kcd);
        var library = new KcdOptions().UseDirectory();
        SettingsBinder.Bind(kcd, library);

        // The errors of values that cannot be read hide those that follow from them.
        var errors = new SettingsErrors("", binding.All);
        CheckLibraryToken(kcd, errors);
        var providers = new ProviderSettingsParser(options, errors).Parse();
        var applications = new ApplicationsParser(options, library, providers, errors).Parse();
        var listener = new ListenerSettingsParser(options.Listener, errors).Parse();
        var forwardUrls = ForwardAuthenticationParser.Parse(options.ForwardAuthentication, listener.Urls, errors);
        var settings = new GatewaySettings
        {
            Listener = listener,
            State = ParseState(options.State, errors),
            Providers = providers,
            Applications = applications.ToFrozenDictionary(application => application.Name, StringComparer.OrdinalIgnoreCase),
            ApplicationsByHost = applications.DistinctBy(application => application.Host, StringComparer.OrdinalIgnoreCase)
                .ToFrozenDictionary(application => application.Host, StringComparer.OrdinalIgnoreCase),
            Sessions = SessionOptionsParser.Parse(options, errors),
            ForwardAuthenticationUrls = forwardUrls,
            Pages = ParsePages(options.Pages, errors),
            Operation = ParseOperation(options.Operation, listener.Urls, forwardUrls, errors),
            Kcd = kcd,
        };
        SetCallers(library, settings);
        string[] texts = [.. errors.All.Concat(SettingsParser.FindErrors(library)).Select(error => error.Text)];
        return texts.Length == 0 ? settings : throw new GatewaySettingsException(texts);
    }

    /// <summary>Sets the options of the library from settings that have been validated.</summary>
    public static void BindLibrary(GatewaySettings settings, KcdOptions options)
    {
        options.UseDirectory();
        SettingsBinder.Bind(settings.Kcd, options);
        SetCallers(options, settings);
    }

    /// <summary>Gives each application of the library the rules for callers of its identity provider. Its addresses can be those of the
    /// gateway's application.</summary>
    private static void SetCallers(KcdOptions options, GatewaySettings settings)
    {
        options.ClustersHaveAddresses = true;
        foreach (var application in settings.Applications.Values)
        {
            if (application.Delegation is { } name && options.Applications.TryGetValue(name, out var delegated) && delegated is not null)
                delegated.Callers = settings.Providers[application.Provider].Token.Callers;
        }
    }

    private static void CheckLibraryToken(IConfiguration kcd, SettingsErrors errors)
    {
        if (kcd.GetSection(nameof(KcdOptions.Token)).Exists())
            errors.Add($"{GatewayOptionTypes.Kcd}:Token", "is not used by the gateway, whose applications can have different providers",
                "Move the settings to IdentityProviders:NAME:Token");
    }

    private static string? ParseState(string? state, SettingsErrors errors)
    {
        if (state is not null && !Path.IsPathFullyQualified(state))
            errors.Add(nameof(GatewayOptions.State), $"{PrintableText.Quoted(state)} is not an absolute path",
                "Write the path of a folder that only the gateway's user can read, such as /var/lib/kcd-gateway");
        else if (state is not null && FindFile(state) is { } file)
            errors.Add(nameof(GatewayOptions.State), $"{PrintableText.Quoted(state)} is no folder: {PrintableText.Quoted(file)} is a file",
                "Write the path of a folder, such as /var/lib/kcd-gateway");
        return state;
    }

    /// <summary>Returns the first part of a path that is a file; null if all of them are folders, or do not exist yet.</summary>
    private static string? FindFile(string path)
    {
        for (var part = path; part is not null; part = Path.GetDirectoryName(part))
        {
            if (File.Exists(part))
                return part;
        }
        return null;
    }

    private static OperationOptions ParseOperation(
        OperationOptions operation, ImmutableArray<BindingAddress> publicUrls, ImmutableArray<BindingAddress> forwardUrls,
        SettingsErrors errors)
    {
        if (!Enum.IsDefined(operation.Log))
            errors.Add("Operation:Log", $"{PrintableText.Quoted(operation.Log.ToString())} is not one of its values",
                $"Write {string.Join(", ", Enum.GetNames<LogFormat>())}");
        if (operation.AuditFile is { } file
            && !(Path.IsPathFullyQualified(file) && Directory.Exists(Path.GetDirectoryName(file)) && !Directory.Exists(file)))
            errors.Add("Operation:AuditFile", $"{PrintableText.Quoted(file)} is not the absolute path of a file in a folder that exists",
                "Write a path such as /var/log/kcd-gateway/audit.jsonl, and create its folder");
        // sockaddr_un of unix(7) has 108 bytes.
        if (operation.AdminSocket is { } socket
            && !(Path.IsPathFullyQualified(socket) && socket.Length < 100 && Directory.Exists(Path.GetDirectoryName(socket))))
            errors.Add("Operation:AdminSocket",
                $"{PrintableText.Quoted(socket)} is not an absolute path of less than 100 characters in a folder that exists",
                "Write a path such as /run/kcd-gateway/admin.sock");
        if (operation.Otlp is { } otlp && !(otlp.IsAbsoluteUri && otlp.Scheme is "http" or "https"))
            errors.Add("Operation:Otlp", $"{PrintableText.Quoted(otlp.OriginalString)} is not an http or https address",
                "Write the address of the collector, such as http://127.0.0.1:4317");
        if (operation is { OtlpLogs: true, Otlp: null })
            errors.Add("Operation:OtlpLogs", "has no collector", "Write the address of the collector to Operation:Otlp");
        if (operation.Prometheus is { } prometheus && FindPrometheusProblem(prometheus, publicUrls, forwardUrls) is { } problem)
            errors.Add("Operation:Prometheus", $"{PrintableText.Quoted(prometheus)} {problem}",
                "Write an address of its own, such as http://127.0.0.1:9464");
        if (operation.ProbeUser is { } user && string.IsNullOrWhiteSpace(user))
            errors.Add("Operation:ProbeUser", "is blank", "Write the name of an account without rights, or remove the setting");
        return operation;
    }

    /// <summary>Returns the problem of the address for Prometheus; null for none.</summary>
    private static string? FindPrometheusProblem(
        string text, ImmutableArray<BindingAddress> publicUrls, ImmutableArray<BindingAddress> forwardUrls)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp)
            return "is not an http address";
        if (ListenerUrls.HasMore(address))
            return "has a path, a query or a user";
        if (!IPAddress.TryParse(address.DnsSafeHost, out _))
            return "has a name instead of an IP address";
        return ListenerUrls.HasPort(publicUrls, address.Port) ? "has a port of Listener:Urls"
            : ListenerUrls.HasPort(forwardUrls, address.Port) ? "has a port of ForwardAuthentication:Urls" : null;
    }

    private static PageOptions ParsePages(PageOptions pages, SettingsErrors errors)
    {
        if (pages.ContactAddress is { } address && !(address.IsAbsoluteUri && address.Scheme is "https" or "mailto" or "tel"))
            errors.Add("Pages:ContactAddress", $"{PrintableText.Quoted(address.OriginalString)} is not an https, mailto or tel address",
                "Write an address such as mailto:servicedesk@contoso.com");
        return pages;
    }
}
