using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Testing;

/// <summary>Registrations that replace the settings of an application under test by those of a <see cref="TestRealm"/>.</summary>
/// <example>
/// In a test of an ASP.NET Core application:
/// <code>
/// builder.ConfigureTestServices(services => services.UseTestRealm(realm, "gw", issuer).UseTestBackend("erp", backend));
/// </code>
/// </example>
public static class TestRealmServices
{
    /// <summary>Replaces realm, KDCs, delegating account and token settings by those of a test realm and issuer.</summary>
    /// <remarks>Registers delegation where the application has not. The applications in the settings stay, without accounts and realms of
    /// their own. A <see cref="DelegatedApplication.UserRealm"/> that is neither the realm nor one that it trusts becomes the realm.
    /// The keytab is deleted with the realm.</remarks>
    /// <param name="services">The services of the application under test, after its own registrations.</param>
    /// <param name="realm">The realm. It is not owned.</param>
    /// <param name="account">An account of the realm, added with <see cref="TestRealm.Account"/>.</param>
    /// <param name="issuer">The issuer of the tokens; null: the token settings stay.</param>
    /// <exception cref="ArgumentException">The realm has no such account (when the settings are first read).</exception>
    public static IServiceCollection UseTestRealm(
        this IServiceCollection services, TestRealm realm, string account, TestIssuer? issuer = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(realm);
        ArgumentNullException.ThrowIfNull(account);
        return services.AddKcdDelegation(static _ => { }).PostConfigure<KcdOptions>(options =>
        {
            realm.Configure(options, account, issuer);
            foreach (var application in options.Applications.Values)
            {
                (application.Realm, application.ServiceAccount) = (null, null);
                if (application.UserRealm is { } users && realm.State.Reachable().All(reachable => reachable.Name != users))
                    application.UserRealm = realm.Name;
            }
        });
    }

    /// <summary>Directs an application of the settings to a test backend: address and service principal name. Its other settings
    /// stay.</summary>
    /// <remarks>Adds an application of this name where the settings have none (<see cref="TestBackend.CreateApplication"/>). Clients of a
    /// backend with https need <see cref="TestBackend.TrustCertificate"/>.</remarks>
    /// <param name="services">The services of the application under test, after its own registrations.</param>
    /// <param name="application">The application's name in the settings.</param>
    /// <param name="backend">The backend. It is not owned.</param>
    public static IServiceCollection UseTestBackend(this IServiceCollection services, string application, TestBackend backend)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(application);
        ArgumentNullException.ThrowIfNull(backend);
        return services.PostConfigure<KcdOptions>(options =>
        {
            if (options.Applications.TryGetValue(application, out var settings))
                backend.Configure(settings);
            else
                options.Applications[application] = backend.CreateApplication();
        });
    }
}
