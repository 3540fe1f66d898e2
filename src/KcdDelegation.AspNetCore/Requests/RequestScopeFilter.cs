using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>Starts and ends a <see cref="DelegatedRequest"/> for each request, outside of all middleware of the host.</summary>
internal sealed class RequestScopeFilter(ActiveRequests active) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(inner => context => RunAsync(context, inner));
        next(app);
    };

    private async Task RunAsync(HttpContext context, RequestDelegate inner)
    {
        var request = DelegatedRequest.Begin(context, active);
        try
        {
            await inner(context).ConfigureAwait(false);
        }
        finally
        {
            request.End();
        }
    }
}
