# A Rails application around the example's controller: a sign-in, and a route. Run by a test where Rails is installed.
require "action_controller/railtie"
require "httparty"

class ChatApp < Rails::Application
  config.load_defaults 6.1
  config.eager_load = false
  config.consider_all_requests_local = false
  config.secret_key_base = "of no use here, as nothing is encrypted with it"
  config.hosts.clear
  config.logger = Logger.new($stdout)
end

User = Struct.new(:id, :name, :avatar_url, :department, keyword_init: true)

class ApplicationController < ActionController::API
  private

  def authenticate_user!
    render json: { error: "sign_in_required" }, status: :unauthorized if current_user.nil?
  end

  def current_user
    @current_user ||= user_of(request.authorization.to_s.delete_prefix("Bearer "))
  end

  def user_of(jwt)
    signed, _, signature = jwt.rpartition(".")
    digest = OpenSSL::HMAC.digest("SHA256", ENV.fetch("APP_SESSION_SECRET"), signed)
    return unless ActiveSupport::SecurityUtils.secure_compare(Base64.urlsafe_encode64(digest, padding: false), signature)

    claims = JSON.parse(Base64.urlsafe_decode64(signed.split(".").last))
    return if claims["exp"] < Time.now.to_i

    User.new(id: claims["sub"], name: claims["name"], avatar_url: claims["picture"], department: claims["department"])
  end
end

load ENV.fetch("CONTROLLER")
ChatApp.initialize!
ChatApp.routes.draw { post "/api/auth/chat-token", to: "chat_tokens#create" }
run ChatApp
